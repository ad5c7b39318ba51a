"""The written permission: for looking and for exemptions; officers and their decisions; orders delaying notice.

purposes     which purpose may ask for what                         docs/formats/permit.md
band         how many, told to whoever asks
conflict     who may decide, and who must not
state        what may follow what
act          one act of the record, and its text
replay       what the record's acts say of a permit
release      the officer's side, and the room's                     keys are handed over here
windows      whose mail, frozen from the register of people
acts         ask, narrow, approve, refuse, withdraw, revoke, delay   the record first, then the row
models       rows that repeat the record
"""
