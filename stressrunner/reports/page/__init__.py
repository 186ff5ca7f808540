"""What the HTML report is made of: sections, tables and drawings."""
