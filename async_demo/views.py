"""Lesson 10: the page of the board."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def board(request):
    """Show an empty page. All notes come over the WebSocket."""
    return render(request, "async_demo/board.html")
