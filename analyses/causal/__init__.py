"""What analyses by lesion share: targets and their shams, the comparison of the two, dissociation, recovery."""
