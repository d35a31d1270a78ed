"""Second looks: what vendors ask to be looked at again, answered by somebody who took no part."""
