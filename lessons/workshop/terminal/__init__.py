"""What `manage.py lesson` does, a module for each thing that a student asks for."""
