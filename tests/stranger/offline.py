"""The vectors, and the files that people exchange."""

import os

import texts
import vectors
from member import Member
from real import RealOffice
from sync import Office

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'vectors')


def formats(tap, _programs, _folder):
    for format_ in (*vectors.READERS, 'sync/take'):
        count, wrong = vectors.check(VECTORS, format_)
        tap.ok(count and not wrong, f'vectors: {format_}, {count} cases', '\n'.join(wrong))
    count, wrong = vectors.check_conversation(VECTORS)
    tap.ok(count and not wrong, f'vectors: link/conversation, {count} steps', wrong)
    count, wrong = vectors.check_frames(VECTORS)
    tap.ok(count and not wrong, f'vectors: link/frame, {count} cases', wrong)


def identities(tap, programs, folder):
    office = RealOffice(programs, folder, 'washington.example')
    try:
        office.start()
        card = office.run('card')
        tap.equal(texts.read_card(card).name, office.name, "a real office's card is read")
        tap.equal(texts.read_recovery_sheet(office.load('sheet')).card().text, card,
                  'its recovery sheet gives its card, byte for byte')
        stranger = texts.new_identity('stranger.example')
        refuse_changed_cards(tap, office, stranger.card().text)
        without_courier_key(tap, office, stranger)
    finally:
        office.stop()


def refuse_changed_cards(tap, office, card):
    changed = card.replace('languages en', 'languages fr')
    tap.refused(lambda: texts.read_card(changed), texts.Refused, 'a card with a changed language is refused here')
    done = office.try_run('line', 'found', 'changed', '--with', office.save('changed.card', changed))
    tap.equal(done.returncode, 1, 'and by the real office')


def without_courier_key(tap, office, stranger):
    office.run('line', 'found', 'open', '--no-courier-key', '--with', office.save('card', stranger.card().text))
    charter = office.load('open.charter')
    tap.equal(office.run('line', 'fingerprint', 'open').strip(), texts.Charter(charter).fingerprint(None),
              'a line without a courier key has the fingerprint of 32 zero bytes')
    here = Office(Member(stranger, charter, None))
    here.member.consent()
    here.dial(office.port, 0)
    office.run('send', 'open', '-m', 'without a courier key')
    tap.ok(here.pump(lambda: (0, 3) in here.member.shown) and here.member.shown[0, 3].text() == 'without a courier key',
           'and links and seals with these')
    here.close()
