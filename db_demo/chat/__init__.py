"""Lesson 23: a chat in three steps, on the raw consumer and on the generic consumer.

Read raw.py first. Guests store messages without a limit, so serve it to clients that you trust.
"""
