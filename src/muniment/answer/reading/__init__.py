"""Reading what was recorded: a message's text, its attachments, its HTML made harmless; never an error.

Hostile bytes give less; they break nothing.

letter      a message as a reader needs it: subject, text, HTML, attachments, defects
leaves      the parts of a message, by the fast parser
patient     the same by the parser that repairs; run only in a worker
charset     bytes as text, whatever character set they claim
html_text   the text of HTML
attachment  the text of an attachment, or why it has none
extraction  how each kind of file gives its text; run only in a worker
extracted   what came of it: the text, and one of a few words for what stood in the way
office      the text of Office files: zip and XML, every size capped
workers     a few processes with limits, started afresh when one is killed
worker      such a process
harmless    HTML of a message with everything taken out that runs or fetches
thread      the base of a subject
envelope    who, when and how big, from the metadata of an entry
"""
