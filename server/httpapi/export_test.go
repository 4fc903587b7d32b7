package httpapi

import "strings"

// Routes are all that a Handler answers, as method and path.
func Routes() []string {
	var all []string
	for path, r := range New(nil, nil).routes {
		all = append(all, strings.ToUpper(r.method)+" "+path)
	}
	return all
}
