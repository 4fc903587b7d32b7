package cli

import (
	"io"
	"strings"
	"unicode/utf8"
)

// wideCell is the width up to which a cell makes its column wider. A wider one,
// such as an ID of 500 bytes, only moves what follows it in its own row.
const wideCell = 40

// table lays rows of cells out in columns.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// head is a row of column headings, which a text separates by tabs.
func (t *table) head(text string) { t.row(strings.Split(text, "\t")...) }

// print writes the rows, with two blanks at least between columns.
func (t *table) print(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if n := width(cell); n <= wideCell {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", max(widths[i]-width(cell), 0)+2))
			}
		}
		b.WriteByte('\n')
	}
	_, _ = io.WriteString(w, b.String()) // who does not listen misses nothing else
}

// width is how many characters of a cell are seen: isolates are not.
func width(cell string) int {
	return utf8.RuneCountInString(cell) - strings.Count(cell, "\u2068") - strings.Count(cell, "\u2069")
}
