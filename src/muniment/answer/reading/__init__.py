"""Reading what was recorded: a message's text, its attachments, its HTML made harmless; never an error.

Hostile bytes give less; they break nothing.

letter      a message as a reader needs it: subject, text, HTML, attachments, defects
leaves      the parts of a message, by the fast parser or by the patient one
charset     bytes as text, whatever character set they claim
html_text   the text of HTML
attachment  the text of an attachment, or why it has none
extraction  how each kind of file gives its text; run only in a worker
office      the text of Office files: zip and XML, every size capped
workers     a few processes with limits, started afresh when one is killed
worker      such a process
harmless    HTML of a message with everything taken out that runs or fetches
thread      which messages are one conversation
folding     which messages are copies of one another
envelope    who, when and how big, from the metadata of an entry
"""
