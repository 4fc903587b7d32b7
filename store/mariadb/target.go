package mariadb

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// database is the database that a URL names, which is not contacted yet, and
// the address of its server.
func database(url string) (db *sql.DB, address string, err error) {
	config, err := target(url)
	if err != nil {
		return nil, "", err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, "", fmt.Errorf("mariadb: %w", err)
	}
	return sql.OpenDB(connector), config.Addr, nil
}

// target reads a URL. Errors never show the password.
func target(text string) (*mysql.Config, error) {
	u, err := url.Parse(text)
	if err != nil {
		// Without the error: it may hold a part of a password.
		return nil, errors.New("mariadb: url: cannot be read; write mysql://USER:PASSWORD@HOST:PORT/DATABASE, with user and password percent-encoded")
	}
	database := strings.TrimPrefix(u.Path, "/")
	switch {
	case u.Scheme != "mysql" && u.Scheme != "mariadb":
		return nil, fmt.Errorf("mariadb: url: scheme %q: only mysql and mariadb are allowed", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("mariadb: url: no host; write mysql://USER:PASSWORD@HOST:PORT/DATABASE")
	case database == "" || strings.Contains(database, "/"):
		return nil, errors.New("mariadb: url: no database, or more than one; write mysql://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, database
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.MultiStatements = true
	c.MaxAllowedPacket = 0 // asks the server: a packet that it refuses costs the connection
	// Whatever the server's defaults. A lock is waited for no longer than for an
	// answer, so that the server undoes what this process has given up.
	c.Params = map[string]string{"autocommit": "1", "innodb_lock_wait_timeout": "5"}
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 10*time.Second, 10*time.Second, 10*time.Second
	c.Logger = &mysql.NopLogger{} // errors are returned
	for name, values := range u.Query() {
		switch name {
		case "tls":
			switch values[0] {
			case "true", "false", "skip-verify", "preferred":
				c.TLSConfig = values[0]
			default:
				return nil, fmt.Errorf("mariadb: url: tls: %q: true, false, skip-verify and preferred are allowed", values[0])
			}
		default:
			return nil, fmt.Errorf("mariadb: url: parameter %q: only tls is allowed", name)
		}
	}
	return c, nil
}
