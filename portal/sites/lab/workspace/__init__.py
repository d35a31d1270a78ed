"""The workspace: judging one answer with its proof."""
