"""The accounts that a workshop has from its first start; the password is the name."""

ACCOUNTS = {"student": {}, "instructor": {"is_staff": True, "is_superuser": True}}
