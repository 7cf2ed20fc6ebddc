// Package storage reads and writes whole files by path or by URL, such as
// gs://bucket/name or s3://bucket/name, through Beam's file systems.
//
// It owns names, the errors a user meets when storage or credentials are not
// there, and Rows: how rows of package archive are done on storage that is no
// file system. Credentials come from where the storage's own tools take them
// (GOOGLE_APPLICATION_CREDENTIALS, AWS_PROFILE, the machine's role); it never
// takes one in a name, and never repeats one in an error.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/gcs" // gs://
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/s3"  // s3://
	"github.com/google/renameio/v2"
)

// IsURL tells a URL from a path.
func IsURL(name string) bool { return strings.Contains(name, "://") }

// Join appends slash-separated parts to a folder's path or URL.
func Join(base string, parts ...string) string {
	if scheme, rest, ok := strings.Cut(base, "://"); ok {
		return scheme + "://" + path.Join(append([]string{rest}, parts...)...)
	}
	return filepath.Join(append([]string{base}, parts...)...)
}

// Check refuses a name that can't be meant: a URL with a credential in it, or
// of a kind that is unknown.
func Check(name string) error {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return nil
	}
	if strings.ContainsAny(rest, "@?") {
		return fmt.Errorf("storage %s: a URL here holds no user, password or signature; set the storage's own credentials on this machine instead", shown(name))
	}
	if _, err := open(context.Background(), scheme+"://", false); err != nil {
		return fmt.Errorf("storage %s: files are read from gs://, s3:// and mounted folders, not from %s://", shown(name), scheme)
	}
	return nil
}

// shown is a name without what might be secret.
func shown(name string) string {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return name
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + rest
}

// open opens the file system of a URL. Beam's panic where there are no
// credentials; really says whether to connect.
func open(ctx context.Context, name string, really bool) (fsys filesystem.Interface, err error) {
	defer func() {
		p := recover()
		switch {
		case p == nil:
		case really:
			err = fmt.Errorf("%w (%v)", errCredentials, p)
		case strings.Contains(fmt.Sprint(p), "not registered"):
			err = fmt.Errorf("%v", p)
		}
	}()
	if !really {
		filesystem.ValidateScheme(name)
		return nil, nil
	}
	return filesystem.New(ctx, name)
}

var errCredentials = errors.New("this machine has no credentials for it")

// patience is how long one request may take: clients look for credentials that
// are not there, and for hosts that do not answer, for minutes.
const patience = 2 * time.Minute

// on does something with the file system of a URL and explains what went wrong.
func on(ctx context.Context, what, name string, do func(context.Context, filesystem.Interface) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	fsys, err := open(ctx, name, true)
	if err == nil {
		defer func() { err = errors.Join(err, fsys.Close()) }()
		err = do(ctx, fsys)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errCredentials) || mentions(err, "credential", "could not find default", "403", "401", "AccessDenied", "Forbidden"):
		return fmt.Errorf("%s %s: %w; give this machine credentials (GOOGLE_APPLICATION_CREDENTIALS, AWS_PROFILE or a role) that may do it", what, shown(name), scrubbed(err))
	case mentions(err, "NoSuchKey", "NotFound", "not found", "doesn't exist", "not exist", "no such file", "404", "NoSuchBucket"):
		return fmt.Errorf("%s %s: %w: %w; check bucket and name", what, shown(name), fs.ErrNotExist, scrubbed(err))
	}
	return fmt.Errorf("%s %s: %w; check that the storage can be reached from this machine", what, shown(name), scrubbed(err))
}

func mentions(err error, words ...string) bool {
	for _, w := range words {
		if strings.Contains(err.Error(), w) {
			return true
		}
	}
	return false
}

// scrubbed is a client's error without the queries of the URLs in it: a signed
// URL's is as good as a password.
func scrubbed(err error) error {
	words := strings.Fields(err.Error())
	for i, w := range words {
		if at := strings.Index(w, "://"); at > 0 {
			if u, parsed := url.Parse(strings.Trim(w, `"':,;`)); parsed == nil {
				u.User, u.RawQuery = nil, ""
				words[i] = u.String()
			} else {
				words[i] = w[:at] + "://…"
			}
		}
	}
	return errors.New(strings.Join(words, " "))
}

// Read returns a small file's content; fs.ErrNotExist when it is not there.
func Read(ctx context.Context, name string) (b []byte, err error) {
	if !IsURL(name) {
		return os.ReadFile(name)
	}
	err = on(ctx, "read", name, func(ctx context.Context, fsys filesystem.Interface) error {
		b, err = filesystem.Read(ctx, fsys, name)
		return err
	})
	return b, err
}

// Write stores a small private file, whole or not at all.
func Write(ctx context.Context, name string, b []byte) error {
	if !IsURL(name) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		return renameio.WriteFile(name, b, 0o600)
	}
	return on(ctx, "write", name, func(ctx context.Context, fsys filesystem.Interface) error {
		return filesystem.Write(ctx, fsys, name, b)
	})
}

// Remove deletes a file; none is no error.
func Remove(ctx context.Context, name string) error {
	err := func() error {
		if !IsURL(name) {
			return os.Remove(name)
		}
		return on(ctx, "remove", name, func(ctx context.Context, fsys filesystem.Interface) error {
			if r, ok := fsys.(filesystem.Remover); ok {
				return r.Remove(ctx, name)
			}
			return errors.New("its file system removes nothing")
		})
	}()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// List returns the files that match a pattern, in no order.
func List(ctx context.Context, pattern string) (names []string, err error) {
	if !IsURL(pattern) {
		return filepath.Glob(pattern)
	}
	err = on(ctx, "list", pattern, func(ctx context.Context, fsys filesystem.Interface) error {
		names, err = fsys.List(ctx, pattern)
		return err
	})
	return names, err
}

// Download copies a URL's file to a new local one.
func Download(ctx context.Context, name, file string) error {
	return on(ctx, "read", name, func(ctx context.Context, fsys filesystem.Interface) error {
		r, err := fsys.OpenRead(ctx, name)
		if err != nil {
			return err
		}
		defer r.Close()
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	})
}

// Upload copies a local file to a URL. It is there when Upload returns, whole.
func Upload(ctx context.Context, file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return on(ctx, "write", name, func(ctx context.Context, fsys filesystem.Interface) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // an upload that is broken off is never committed
		w, err := fsys.OpenWrite(ctx, name)
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, f); err != nil {
			cancel()
			return errors.Join(err, w.Close())
		}
		return w.Close()
	})
}
