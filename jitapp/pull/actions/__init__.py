"""The only writers of the pull room, named with the floor's verbs."""

from jitapp.pull.actions.andon import TOPIC as CALLS_TOPIC
from jitapp.pull.actions.andon import (
    CallRefused,
    call_for_help,
    escalate_calls,
    solve_call,
    take_call,
    was_called,
)
from jitapp.pull.actions.cards import add_cards, add_extra_card, bind_bin, replace_card
from jitapp.pull.actions.changeovers import ChangeoverRefused, begin_changeover, finish_changeover
from jitapp.pull.actions.documents import (
    TurnCancelled,
    ask_for_documents,
    give_document,
    mend_document,
    refuse_document,
)
from jitapp.pull.actions.failing import fail_turn, recover_turn
from jitapp.pull.actions.foretelling import KnownCard, foretell, known_cards, named_person
from jitapp.pull.actions.handovers import HandoverRefused, Signer, arrive, leave, signer
from jitapp.pull.actions.lines import keep_lines
from jitapp.pull.actions.loops import (
    hold_loop,
    mark_printed,
    note_settings,
    resize_loop,
    resume_loop,
    retire_loop,
)
from jitapp.pull.actions.orders import order
from jitapp.pull.actions.propagate import propagate
from jitapp.pull.actions.quality import DECISIONS, Decision, WriteOffRefused, hold_card, release_card
from jitapp.pull.actions.revisions import (
    apply_due_revisions,
    plan_revision,
    plan_successor,
    withdraw_revision,
)
from jitapp.pull.actions.saving import Refused
from jitapp.pull.actions.scanning import BATCH_LIMIT, first_answer, scan, scan_batch
from jitapp.pull.actions.sequences import count_number, follow_sequences, note_missing
from jitapp.pull.actions.settling import DECLINED, Settled, SettleRefused, may_settle, settle_scan
from jitapp.pull.actions.snapshots import forget_snapshots, keep_snapshots
from jitapp.pull.actions.stages import happened_at
from jitapp.pull.actions.stations import (
    BY_HAND,
    StateRefused,
    begin_state,
    end_state,
    record_state,
    record_station_event,
)
from jitapp.pull.actions.succession import SUCCESSOR, succeed
from jitapp.pull.actions.sweeping import settle_loops, sweep

__all__ = [
    "BATCH_LIMIT",
    "BY_HAND",
    "CALLS_TOPIC",
    "DECISIONS",
    "DECLINED",
    "SUCCESSOR",
    "CallRefused",
    "ChangeoverRefused",
    "Decision",
    "HandoverRefused",
    "KnownCard",
    "Refused",
    "SettleRefused",
    "Settled",
    "Signer",
    "StateRefused",
    "TurnCancelled",
    "WriteOffRefused",
    "add_cards",
    "add_extra_card",
    "apply_due_revisions",
    "arrive",
    "ask_for_documents",
    "begin_changeover",
    "begin_state",
    "bind_bin",
    "call_for_help",
    "count_number",
    "end_state",
    "escalate_calls",
    "fail_turn",
    "finish_changeover",
    "first_answer",
    "follow_sequences",
    "foretell",
    "forget_snapshots",
    "give_document",
    "happened_at",
    "hold_card",
    "hold_loop",
    "keep_lines",
    "keep_snapshots",
    "known_cards",
    "leave",
    "mark_printed",
    "may_settle",
    "mend_document",
    "named_person",
    "note_missing",
    "note_settings",
    "order",
    "plan_revision",
    "plan_successor",
    "propagate",
    "record_state",
    "record_station_event",
    "recover_turn",
    "refuse_document",
    "release_card",
    "replace_card",
    "resize_loop",
    "resume_loop",
    "retire_loop",
    "scan",
    "scan_batch",
    "settle_loops",
    "settle_scan",
    "signer",
    "solve_call",
    "succeed",
    "sweep",
    "take_call",
    "was_called",
    "withdraw_revision",
]
