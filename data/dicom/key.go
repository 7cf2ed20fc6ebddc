package dicom

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keyBytes is the length of a key: that of the hash.
const keyBytes = sha256.Size

// Key turns identities into pseudonyms by HMAC-SHA256. The same key gives the
// same patient the same pseudonym, today and next year; without it no pseudonym
// can be traced back by trying names or numbers. Whoever holds it can: keep it
// apart from the data.
type Key struct {
	secret [keyBytes]byte
}

// OpenKey reads the key at path, or makes a new random one there (mode 0600)
// when there is none.
func OpenKey(path string) (*Key, error) {
	k, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k = new(Key)
	if _, err := rand.Read(k.secret[:]); err != nil {
		return nil, fmt.Errorf("making a pseudonym key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making a pseudonym key: %w", err)
	}
	// Written beside and linked into place: whole, and never over the key that
	// another process made meanwhile.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making a pseudonym key: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintf(tmp, "%x\n", k.secret)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("writing the pseudonym key %s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKey(path)
	} else if err != nil {
		return nil, fmt.Errorf("writing the pseudonym key %s: %w", path, err)
	}
	return k, nil
}

func readKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the pseudonym key: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keyBytes {
		return nil, fmt.Errorf("%s is no pseudonym key (%d hexadecimal digits); restore it from your copy, or remove it for new pseudonyms", path, 2*keyBytes)
	}
	k := new(Key)
	copy(k.secret[:], secret)
	return k, nil
}

// hash is the keyed hash of a value used for a purpose; purposes never share
// hashes.
func (k *Key) hash(purpose, value string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	fmt.Fprintf(mac, "%s\x00%s", purpose, value)
	return mac.Sum(nil)
}

// Pseudonym is the name under which a patient enters a cohort: "p-" and 16
// letters and digits (80 bits).
func (k *Key) Pseudonym(patient string) string {
	code := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(k.hash("patient", patient)[:10])
	return "p-" + strings.ToLower(code)
}

// UID maps a UID, or any other text that names one object, to a new UID under
// 2.25 (PS3.5 B.2).
func (k *Key) UID(of string) string { return uuidUID(k.hash("uid", of)) }

// dateFormat is the DA value representation, PS3.5 6.2.
const dateFormat = "20060102"

// shiftDate moves a DICOM date (YYYYMMDD) into the past by 1 to 3650 days, the
// same number for all dates of a patient: intervals stay, the calendar is lost.
// A date that is none becomes "".
func (k *Key) shiftDate(patient, date string) string {
	t, err := time.Parse(dateFormat, date)
	if err != nil {
		return ""
	}
	days := 1 + binary.BigEndian.Uint32(k.hash("date shift", patient))%3650
	return t.AddDate(0, 0, -int(days)).Format(dateFormat)
}
