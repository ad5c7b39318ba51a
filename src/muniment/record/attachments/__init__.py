"""An attachment that comes again the same day is stored once, and dies with the last message that names it.

module       holds                                              source
reference    what a message's sealed content says of one        docs/formats/packing.md
secret       the keys of attachments, while their day lasts     docs/formats/segment.md
laying       which entries a batch becomes                      docs/decisions/0020-attachments-stored-once.md
blob         sealing and opening the entry that holds one       docs/formats/segment.md
naming       which of them messages name, for holds             docs/formats/segment.md
fetching     finding it among the segments of its epoch         docs/formats/segment.md
"""
