"""What is only recorded, never decided on: mail of the past, later calls, prints and log-ins.

sources     the files an import finds, and what each is taken as
mbox        messages of an mbox, to the byte
maildir     folders and flags of a Maildir
headers     the few header facts an entry carries; never an error
defects     what is wrong with a message, by name
journal     how far an import came, so that it can be stopped at any moment
mail        the import itself

postfix_log     lines of a mail server's log as events; mail_log, what they say of each message
log_file        one log file, compressed or not, and the hash of its bytes
reconciliation  the log against the record, both ways
"""
