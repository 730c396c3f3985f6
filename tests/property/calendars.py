"""Months as 'YYYY-MM' and days as 'YYYY-MM-DD': their texts compare as they do."""
import calendar
import datetime


def months_after(month, n):
    number = 12 * int(month[:4]) + int(month[5:7]) - 1 + n
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def days_of(month):
    return calendar.monthrange(int(month[:4]), int(month[5:7]))[1]


def first_day(month):
    return month + "-01"


def last_day(month):
    return f"{month}-{days_of(month):02d}"


def days_between(first, last):
    """How many days first..last has, both included."""
    return (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days + 1


def day_after(day):
    return day + "+" if day >= "9999" else (datetime.date.fromisoformat(day) + datetime.timedelta(1)).isoformat()


def months_between(first, last):
    """The months of first..last, each with its days that lie inside."""
    month, found = first[:7], []
    while month <= last[:7]:
        found.append((max(first, first_day(month)), min(last, last_day(month))))
        month = months_after(month, 1)
    return found


def overlap(starts_on, ends_on, first, last):
    return starts_on <= last and (ends_on is None or ends_on >= first)
