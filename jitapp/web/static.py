"""Static files under names that hold their fingerprint, our JavaScript modules among them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModulesByFingerprint(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """A module imports others by their fingerprints too: a page never runs parts of two versions together, which a
    service worker or a cache would otherwise serve it after an update. Other packages' scripts stay as they are."""

    _imports = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", _imports))
