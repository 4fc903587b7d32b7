package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

func ExampleNew() {
	m := editlock.NewManager(memory.New(nil), nil)
	defer m.Close()
	server := httptest.NewServer(httpapi.New(m, nil)) // stands in for editlock serve
	defer server.Close()

	locks, err := client.New(server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer locks.Close()

	ctx := context.Background()
	ivanov := editlock.WithOwner(ctx, editlock.Owner{Session: "s-1", Name: "Ivanov"})
	petrova := editlock.WithOwner(ctx, editlock.Owner{Session: "s-2", Name: "Petrova"})
	doc := editlock.ID{Mode: "document", ID: "42"}
	if _, err := locks.Capture(ivanov, doc, nil); err != nil {
		fmt.Println(err)
	}
	var busy *editlock.BusyError
	if _, err := locks.Capture(petrova, doc, nil); errors.As(err, &busy) {
		fmt.Println(doc.ID, "is held by", busy.Holder.Owner.Name)
	}
	// Output: 42 is held by Ivanov
}
