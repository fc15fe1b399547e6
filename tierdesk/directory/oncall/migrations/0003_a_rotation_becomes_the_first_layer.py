from django.db import migrations


def lay(apps, schema_editor):
    """What a schedule said of its only rotation is said by its only layer.

    A rotation ran backwards for ever; a layer begins. So it begins a whole number of rounds earlier if it had begun in
    the future: nobody who was on call is off call by this.
    """
    from datetime import timedelta

    from tierdesk.core import clock

    Schedule, Layer, Turn = (apps.get_model("oncall", name) for name in ("Schedule", "Layer", "Turn"))
    today = clock.now().date()
    for schedule in Schedule.objects.all():
        turns = Turn.objects.filter(schedule=schedule)
        round_days = timedelta(days=max(1, schedule.shift_days) * max(1, turns.count()))
        starts = schedule.starts_date
        while starts >= today:
            starts -= round_days
        layer = Layer.objects.create(
            schedule=schedule,
            order=0,
            name="Turns",
            starts_date=starts,
            shift_days=min(365, max(1, schedule.shift_days)),
            handover=schedule.handover,
        )
        turns.update(layer=layer)


class Migration(migrations.Migration):

    dependencies = [("oncall", "0002_schedules_have_layers")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=True)]
