import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0002_no_overlap"),
    ]

    operations = [
        migrations.CreateModel(
            name="Permit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                ("revision", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("look", "Look"),
                            ("shielded", "What is marked private"),
                            ("exemption", "Closed sites"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("narrowed", "Narrowed"),
                            ("approved", "Approved"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("revoked", "Revoked"),
                            ("ended", "Ended"),
                        ],
                        db_index=True,
                        max_length=10,
                    ),
                ),
                ("purpose", models.CharField(max_length=20)),
                ("depth", models.CharField(max_length=10)),
                ("parent", models.CharField(blank=True, max_length=20)),
                ("entries", models.PositiveIntegerField()),
                ("shielded", models.PositiveIntegerField()),
                ("request", models.TextField()),
                ("asked", models.DateTimeField()),
                ("waits_since", models.DateTimeField()),
                ("decided", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("approval", models.TextField(blank=True)),
                ("signature", models.CharField(blank=True, max_length=88)),
                ("ends", models.DateTimeField(null=True)),
                (
                    "requester",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="permits_asked",
                        to="people.person",
                    ),
                ),
            ],
            options={
                "ordering": ["-asked", "-number"],
            },
        ),
        migrations.CreateModel(
            name="DelayOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
                ("ground", models.CharField(max_length=200)),
                ("reason", models.TextField()),
                ("ordered_by", models.CharField(max_length=200)),
                ("ordered", models.DateTimeField()),
                ("ended", models.DateTimeField(null=True)),
                (
                    "permit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="delays", to="permit.permit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PermitSubject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("person", models.CharField(db_index=True, max_length=200)),
                ("name", models.CharField(max_length=200)),
                (
                    "permit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subjects",
                        to="permit.permit",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="permit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["asked", "narrowed", "approved", "refused", "withdrawn", "revoked", "ended"],
                    )
                ),
                name="permit_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="permitsubject",
            constraint=models.UniqueConstraint(fields=("permit", "person"), name="subject_once_a_permit"),
        ),
    ]
