"""Write files for people who start: a project from a template, and what their editor needs to know."""

from buzzflow.scaffold.editor import EditorPlan, plan_editor, schema_text
from buzzflow.scaffold.project import TEMPLATES, plan_project, projects_folder
from buzzflow.scaffold.writing import write_all

__all__ = ["TEMPLATES", "EditorPlan", "plan_editor", "plan_project", "projects_folder", "schema_text", "write_all"]
