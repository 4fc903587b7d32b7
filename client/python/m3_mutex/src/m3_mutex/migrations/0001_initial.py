from django.db import migrations, models


class Migration(migrations.Migration):
    """The table as m3-mutex's migration of this name leaves it."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="MutexModel",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mutex_group", models.CharField(max_length=100, blank=True, db_index=True)),
                ("mutex_mode", models.CharField(max_length=100, blank=True, db_index=True)),
                ("mutex_id", models.CharField(max_length=100, db_index=True)),
                ("owner_session", models.CharField(max_length=50)),
                ("owner_host", models.TextField(blank=True)),
                ("owner_id", models.CharField(max_length=40, default="system")),
                ("owner_login", models.CharField(max_length=40, blank=True)),
                ("owner_name", models.CharField(max_length=100, blank=True)),
                ("auto_release_rule", models.CharField(max_length=100, blank=True)),
                ("auto_release_config", models.CharField(max_length=300, blank=True)),
                ("captured_since", models.DateTimeField()),
                ("status_data", models.TextField(null=True, blank=True)),
            ],
            options={"db_table": "m3_mutex"},
        ),
    ]
