"""The scenario runner: the real core and decoders in virtual time, scripted transports."""
