package words

import (
	"fmt"
	"time"

	"golang.org/x/text/language"
)

var monthsRu = [...]string{
	"января", "февраля", "марта", "апреля", "мая", "июня",
	"июля", "августа", "сентября", "октября", "ноября", "декабря",
}

// Moment names a moment as people do: 12:04 if it was today, with the date
// otherwise, with the year if that differs too. asOf says what today is; both
// are shown in the local time zone.
func (p *Printer) Moment(t, asOf time.Time) string {
	t, asOf = t.Local(), asOf.Local()
	clock := t.Format("15:04")
	year, month, day := t.Date()
	if y, m, d := asOf.Date(); y == year && m == month && d == day {
		return clock
	}
	name := month.String()
	if p.tag == language.Russian {
		name = monthsRu[month-1]
	}
	if year == asOf.Year() {
		return fmt.Sprintf("%d %s %s", day, name, clock)
	}
	return fmt.Sprintf("%d %s %d %s", day, name, year, clock)
}

// Span names a duration in its two largest units, rounded to the second.
func (p *Printer) Span(d time.Duration) string {
	seconds := int64(d.Round(time.Second) / time.Second)
	if seconds <= 0 {
		return p.Text("span.seconds", 0)
	}
	units := []struct {
		key     string
		seconds int64
	}{{"span.days", 86400}, {"span.hours", 3600}, {"span.minutes", 60}, {"span.seconds", 1}}
	out := ""
	for i, u := range units {
		n := seconds / u.seconds
		if n == 0 {
			continue
		}
		out = p.Text(u.key, n)
		if i+1 < len(units) {
			if n = seconds % u.seconds / units[i+1].seconds; n > 0 {
				out += " " + p.Text(units[i+1].key, n)
			}
		}
		break
	}
	return out
}
