"""What the organisation decided: clauses, law, particulars, schedule, Decision. Pure; imports nothing of ours."""
