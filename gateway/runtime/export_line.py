"""What may go wrong with an export that another process writes."""


class ExportBusy(Exception):
    """Somebody else's export is being written; try again later."""


class ExportFailed(Exception):
    """The journal could not be told; the text says why."""
