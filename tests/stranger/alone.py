"""What a session needs around it where there is no link: what came over one is told to it."""


class NoWire:
    """In place of a link."""

    def __init__(self, member):
        self.member = member

    def send(self, lane, message):
        pass


class Alone:
    """An office of one session."""

    def __init__(self, member):
        self.member, self.sessions = member, []

    def grew(self, number, head, settle):
        if settle:
            self.member.logs[number].settled.add(head[0])

    def settled(self, *_):
        pass

    def tell_others(self, *_):
        pass
