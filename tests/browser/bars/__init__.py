"""The standing bars of every page: what each must hold in every state, both themes and every width."""
