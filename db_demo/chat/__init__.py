"""Lesson 23: a chat in three steps, on the raw consumer and on the generic consumer.

Read raw.py first. hardened_chat/, beside this folder, is what production adds.
"""
