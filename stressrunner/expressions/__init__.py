"""Expressions and templates: one sandboxed language for checks, captures and placeholders."""

from stressrunner.expressions.expression import Expression, compile_condition, compile_expression
from stressrunner.expressions.functions import CONDITIONS, FUNCTIONS, Draws
from stressrunner.expressions.json_text import compile_json
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError
from stressrunner.expressions.references import Reference
from stressrunner.expressions.template import Template, compile_template
from stressrunner.expressions.values import ValueTemplate, compile_value

__all__ = [
    "CONDITIONS",
    "FUNCTIONS",
    "CannotEvaluate",
    "Draws",
    "Expression",
    "ExpressionError",
    "Reference",
    "Template",
    "ValueTemplate",
    "compile_condition",
    "compile_expression",
    "compile_json",
    "compile_template",
    "compile_value",
]
