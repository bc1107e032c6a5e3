"""The body of a long task. Celery's shared_task, Django's task and a script call it alike."""


def copy_all(rows, copy, report):
    """Copy the rows. Call `report` with each whole percent, so at most a hundred times."""
    reported = 0
    for number, row in enumerate(rows, 1):
        copy(row)
        percent = number * 100 // len(rows)
        if percent > reported:
            reported = percent
            report(percent)
