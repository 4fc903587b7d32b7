package cli

import (
	"strings"
	"testing"
)

func TestTable_AWideCellMovesItsOwnRowOnly(t *testing.T) {
	long := strings.Repeat("x", 500)
	var rows table
	rows.head("MUTEX\tHOLDER\tTOKEN")
	rows.row("a", "Иванов", "7")
	rows.row(long, "\u2068דוד\u2069", "8")
	rows.row("order/12", "", "9")
	var b strings.Builder
	rows.print(&b)
	want := "MUTEX     HOLDER  TOKEN\n" +
		"a         Иванов  7\n" +
		long + "  \u2068דוד\u2069     8\n" +
		"order/12          9\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
