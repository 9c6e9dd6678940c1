"""The measures of the hippocampal laboratory: of maps, of headings, of speeds, each beside its null."""
