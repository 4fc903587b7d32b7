from django.db import models


class Invoice(models.Model):
    number = models.CharField(max_length=20)
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Invoice {self.number}"
