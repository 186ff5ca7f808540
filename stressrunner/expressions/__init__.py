"""Expressions and templates: one sandboxed language for checks, captures and holes."""

from stressrunner.expressions.expression import Expression, compile_expression
from stressrunner.expressions.functions import FUNCTIONS, Draws
from stressrunner.expressions.json_text import compile_json
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError
from stressrunner.expressions.references import Reference
from stressrunner.expressions.template import Template, compile_template
from stressrunner.expressions.values import ValueTemplate, compile_value

__all__ = [
    "FUNCTIONS",
    "CannotEvaluate",
    "Draws",
    "Expression",
    "ExpressionError",
    "Reference",
    "Template",
    "ValueTemplate",
    "compile_expression",
    "compile_json",
    "compile_template",
    "compile_value",
]
