package cli

import (
	"context"

	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/connect"
)

// credential is what proves to a server who calls, nil if nothing does. It is
// never an argument, which everybody on the machine can see: it comes from the
// file of --credential-file or EDITLOCK_CREDENTIAL_FILE, which is read again
// when the server refuses what was in it, or from EDITLOCK_CREDENTIAL.
// (EDITLOCK_TOKEN is the number of a hold, in what run starts.)
func (a *app) credential(ctx context.Context) (client.Credential, error) {
	if connect.Engine(a.storeURL()) != "http" {
		return nil, nil
	}
	file := a.credentialPath()
	var source client.Credential
	if secret := a.getenv("EDITLOCK_CREDENTIAL"); file != "" {
		source = client.CredentialFile(file)
	} else if secret != "" {
		source = client.StaticCredential(secret)
	} else {
		return nil, nil
	}
	secret, err := source(ctx)
	if err != nil {
		return nil, err
	}
	if client.NamesOwner(secret) {
		a.jwt = secret
	}
	return source, nil
}

// credentialPath is the file that the credential is in; empty: none.
func (a *app) credentialPath() string {
	if a.credentialFile != "" {
		return a.credentialFile
	}
	return a.getenv("EDITLOCK_CREDENTIAL_FILE")
}
