"""What became of the messages of `bench chat`."""

from lessons.bench.chat_house import House

# Of these there must be none.
LOSSES = ("kept_twice", "confirmed_not_kept", "delivered_twice", "out_of_order", "not_delivered")
TIMES = ("all_in_after_s", "caught_up_after_s")  # None: not within the patience


def figures(it: House) -> dict:
    """What became of the messages; losses, duplicates and what came out of order are faults."""
    rows = it.rows()
    ids = {room: [id for id, _ in messages] for room, messages in rows.items()}
    keys = [key for messages in rows.values() for _, key in messages]
    confirmed = {key for one in it.members for key in one.confirmed}
    back = sorted(wait for one in it.members for wait in one.back_after[1:])
    return {
        "sent": sum(len(one.sent) for one in it.members),
        "confirmed": len(confirmed),
        "kept": len(keys),
        "kept_twice": len(keys) - len(set(keys)),
        "confirmed_not_kept": len(confirmed - set(keys)),
        "delivered": sum(len(one.ids) for one in it.members),
        "delivered_twice": sum(len(one.ids) - len(set(one.ids)) for one in it.members),
        "out_of_order": sum(one.ids != sorted(one.ids) for one in it.members),
        "not_delivered": sum(len(set(ids.get(one.room, [])) - set(one.ids)) for one in it.members),
        "refused": sum(one.refused for one in it.members),
        "reconnects": sum(one.connections - 1 for one in it.members),
        "back_after_median_s": round(back[len(back) // 2], 2) if back else 0,
        "back_after_longest_s": round(back[-1], 2) if back else 0,
        **it.in_the_log(),
    }


def faults(found: dict) -> list[str]:
    """The names of the figures that are not what they must be."""
    return [name for name in LOSSES if found[name]] + [it for it in TIMES if found[it] is None]


def text_of(found: dict) -> str:
    return "\n".join(f"{name.replace('_', ' '):<24}{value!s:>16}" for name, value in found.items())
