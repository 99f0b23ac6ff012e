"""The Raspberry Pi bridge: frames in, frames out. Dumb on purpose: what a frame means is the gateway's business."""
