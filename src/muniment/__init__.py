"""Muniment makes an organisation's electronic-communications policy work.

The tree is the table of contents; a part imports only parts below it (`lint-imports` holds the order):

    cli       the `muniment` command
    serve     the processes
    site      the Django project: settings, urls, shell templates, static files
    account   what is shown to the people concerned
    answer    rooms, packs; cases, requests             (rooms and packs)
    guard     decisions on mail and web as they pass
    observe   what is only recorded: imports, calls, prints
    admit     letting people and devices in             (not built yet)
    permit    the written permission to look
    people    who is who, and who had an address when
    record    the unalterable record
    policy    what the organisation decided; imports nothing of ours
"""
