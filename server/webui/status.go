package webui

import (
	"strings"
	"unicode"
)

// codeRun is how many letters and digits in a row may be a code.
const codeRun = 8

// written returns status data that somebody wrote to be read, such as "page 3",
// and nothing of a code by which a program knows its own hold again: the
// request of an edit lock, a UUID, a number. Codes stay in the API's
// status_data.
func written(status string) string {
	if strings.ContainsFunc(status, unicode.IsSpace) {
		return status
	}
	run, digits, turns := 0, 0, 0
	wasDigit := false
	for _, r := range status {
		digit := '0' <= r && r <= '9'
		if letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'; !digit && !letter {
			run, digits, turns = 0, 0, 0
			continue
		}
		if run > 0 && digit != wasDigit {
			turns++
		}
		if digit {
			digits++
		}
		run, wasDigit = run+1, digit
		if run >= codeRun && (turns >= 2 || digits == run) {
			return ""
		}
	}
	return status
}
