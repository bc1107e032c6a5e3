"""Optional reading after lesson 23: what a chat needs in production.

Limits, rights that end, messages that are sent again, many clients at once, clients that do not
read, a log, and a page. The attacks that it prevents, and their tests, are in
tests/extras/test_hardened_chat_security.py.
"""
