"""Spanish and French around a noun: articles, elision, adjectives and participles before and behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jitapp.plant.wording.nouns import PLURAL, Noun, Slot, like

# masculine, feminine: words in front of a noun
_SPANISH = """
    el la|los las|un una|unos unas|del de_la|al a_la|este esta|estos estas|ese esa|esos esas|otro otra
    otros otras|ningún ninguna|algún alguna|todo toda|todos todas|próximo próxima|primer primera
    último última|nuevo nueva|nuevos nuevas|cuántos cuántas|tantos tantas|mismo misma|solo sola|pocos pocas
    muchos muchas|cuanto cuanta|propio propia
"""
_FRENCH = """
    le la|un une|du de_la|au à_la|ce cette|aucun aucune|tout toute|tous toutes|quel quelle|quels quelles
    nouveau nouvelle|nouveaux nouvelles|prochain prochaine|premier première|dernier dernière
    mauvais mauvaise|son sa|mon ma|certain certaine|seul seule|seuls seules|bon bonne
"""
# masculine, feminine: what follows a noun, alone or after a verb
_SPANISH_BEHIND = """
    lleno llena|vacío vacía|nuevo nueva|perdido perdida|retenido retenida|escaneado escaneada
    contado contada|leído leída|bloqueado bloqueada|terminado terminada|pedido pedida|recibido recibida
    impreso impresa|conocido conocida|hecho hecha|dado dada|puesto puesta|guardado guardada|marcado marcada
    liberado liberada|fabricado fabricada|usado usada|entregado entregada|registrado registrada
    recogido recogida|traído traída|equivocado equivocada|sustituido sustituida|solo sola
"""
_FRENCH_BEHIND = """
    plein pleine|nouveau nouvelle|perdu perdue|retenu retenue|scanné scannée|compté comptée|lu lue
    bloqué bloquée|fini finie|demandé demandée|reçu reçue|imprimé imprimée|connu connue|fait faite
    retiré retirée|mis mise|gardé gardée|coché cochée|libéré libérée|fabriqué fabriquée|utilisé utilisée
    livré livrée|enregistré enregistrée|apporté apportée|remplacé remplacée|terminé terminée|rempli remplie
    vidé vidée|déclaré déclarée|seul seule|arrêté arrêtée|changé changée
"""
_VERBS = {
    "es": r"(?: (?:ya|aún|no|se|está|están|es|son|fue|fueron|ha|han|sido|queda|quedan|estaba|era|vuelve a ser|sigue"
    r"|puede ser))*",
    "fr": r"(?: (?:déjà|encore|ne|n'est|n'a|est|sont|a|ont|été|reste|restent|était|pas|plus|de nouveau|soit|peut être"
    r"|pourra être))*",
}
_VOWEL = re.compile(r"[aeiouyàâæéèêëîïôœùûh]", re.IGNORECASE)
# Words with an h before which nothing is left out.
_ASPIRATED = frozenset("hache halle hangar hanse harasse haricot hotte housse hublot".split())  # noqa: SIM905


def _pairs(table: str) -> tuple[dict[str, str], dict[str, str]]:
    to_feminine: dict[str, str] = {}
    for pair in table.replace("\n", "|").split("|"):
        if pair.strip():
            masculine, feminine = pair.split()
            to_feminine[masculine] = feminine.replace("_", " ")
    return to_feminine, {feminine: masculine for masculine, feminine in to_feminine.items()}


def _with_plurals(table: str) -> tuple[dict[str, str], dict[str, str]]:
    to_feminine, to_masculine = _pairs(table)
    for one in (to_feminine, to_masculine):
        one.update(
            {f"{word}s": f"{other}s" for word, other in list(one.items()) if not word.endswith(("s", "x"))}
        )
    return to_feminine, to_masculine


def elides(word: str) -> bool:
    """Whether French articles lose their vowel before the word."""
    return bool(_VOWEL.match(word)) and word.lower() not in _ASPIRATED


class Romance:
    """Gender and number; there are no cases."""

    reach = 3

    def __init__(self, language: str) -> None:
        self._language = language
        ahead, behind = (_SPANISH, _SPANISH_BEHIND) if language == "es" else (_FRENCH, _FRENCH_BEHIND)
        self._ahead = _pairs(ahead)
        self._behind = _with_plurals(behind)
        known = "|".join(sorted({*self._behind[0], *self._behind[1]}, key=len, reverse=True))
        self._follows = re.compile(rf"({_VERBS[language]} )({known})(?!\w)")

    def narrowed(self, before: Sequence[str], old: Noun, slots: Sequence[Slot], after: str) -> list[Slot]:
        return list(slots)

    def agreed(
        self, before: Sequence[str], old: Noun, new: Noun, slot: Slot, text: str
    ) -> tuple[int, list[str], bool]:
        taken = 0
        words = list(before)
        said: list[str] = []
        follower = text
        joins = False
        while words and taken < self.reach:
            found = self._changed(words, old, new, slot, follower)
            if found is None:
                break
            count, word, joined = found
            if not said:
                joins = joined
            said.insert(0, word)
            follower = word
            taken += count
            words = words[:-count]
            if joined and len(said) > 1:
                # An article that lost its vowel stands right at the next word.
                said[0:2] = [said[0] + said[1]]
        return taken, said, joins

    def _changed(
        self, words: list[str], old: Noun, new: Noun, slot: Slot, follower: str
    ) -> tuple[int, str, bool] | None:
        """What becomes of the last word, or of the last two: how many they are, the new text, and whether it joins."""
        last = words[-1]
        low = last.lower()
        if self._language == "fr":
            return self._french(words, new, slot, follower) if slot[0] != PLURAL else self._swapped(last, new)
        if (
            low == "la"
            and len(words) > 1
            and words[-2].lower() in ("de", "a")
            and new.gender == "m" == _other(old)
        ):
            return 2, like(words[-2], "del" if words[-2].lower() == "de" else "al"), False
        return self._swapped(last, new)

    def _swapped(self, word: str, new: Noun) -> tuple[int, str, bool] | None:
        low = word.lower()
        to_feminine, to_masculine = self._ahead
        if low not in to_feminine and low not in to_masculine:
            return None
        other = (to_feminine if new.gender == "f" else to_masculine).get(low, low)
        return 1, like(word, other), False

    def _french(self, words: list[str], new: Noun, slot: Slot, follower: str) -> tuple[int, str, bool] | None:
        last, low = words[-1], words[-1].lower()
        vowel, feminine = elides(follower), new.gender == "f"
        previous = words[-2].lower() if len(words) > 1 else ""
        if low in ("la", "l'") and previous in ("de", "à"):
            return self._contracted(words[-2], 2, vowel=vowel, feminine=feminine)
        if low in ("du", "au"):
            model = "De" if last[0].isupper() else "de"
            model = ("À" if last[0].isupper() else "à") if low == "au" else model
            return self._contracted(model, 1, vowel=vowel, feminine=feminine)
        if low in ("le", "la", "l'"):
            word = "l'" if vowel else "la" if feminine else "le"
            return 1, like(last, word), vowel
        if low in ("ce", "cet", "cette"):
            return 1, like(last, "cette" if feminine else "cet" if vowel else "ce"), False
        if low in ("son", "sa", "mon", "ma", "ton", "ta"):
            return 1, like(last, low[0] + ("a" if feminine and not vowel else "on")), False
        if low in ("de", "d'", "que", "qu'"):
            stem = low.rstrip("e'")
            return 1, like(last, stem + ("'" if vowel else "e")), vowel
        if low in ("nouveau", "nouvel", "nouvelle"):
            return 1, like(last, "nouvelle" if feminine else "nouvel" if vowel else "nouveau"), False
        if low == "autre":
            return 1, last, False
        if low == "chaque":
            return None
        return self._swapped(last, new)

    def _contracted(self, model: str, count: int, *, vowel: bool, feminine: bool) -> tuple[int, str, bool]:
        """de or à with an article."""
        if vowel:
            return count, f"{model} l'", True
        if feminine:
            return count, f"{model} la", False
        return count, like(model, "du" if model.lower() == "de" else "au"), False

    def follows(self, after: str, old: Noun, new: Noun, slot: Slot) -> str:
        if new.gender == old.gender:
            return after
        found = self._follows.match(after)
        if found is None:
            return after
        table = self._behind[0] if new.gender == "f" else self._behind[1]
        rest = after[found.end() :]
        more = re.match(r"( (?:y|o|u|et|ou) )(\w+)", rest)
        if more and more[2] in table:
            rest = more[1] + table[more[2]] + rest[more.end() :]
        return found[1] + table.get(found[2], found[2]) + rest


def _other(noun: Noun) -> str:
    return "m" if noun.gender == "f" else "f"


def table_of(language: str) -> Mapping[str, str]:
    """Words in front of a masculine noun, with those in front of a feminine one; for checks of whole catalogues."""
    return _pairs(_SPANISH if language == "es" else _FRENCH)[0]
