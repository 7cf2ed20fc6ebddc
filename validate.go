package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"elastography/data"
	"elastography/data/validation"
)

// validate measures cohorts, judged as one, and their scanner against the published figures and writes validation.md into
// dir. A row that does not hold is an error: the exit code says whether all do.
func validate(ctx context.Context, dir string, cohorts []*data.Cohort) error {
	key, err := programKey()
	if err != nil {
		return err
	}
	bar := newBar(-1, "validation")
	report, err := validation.Run(ctx, dir, validation.Options{Cohorts: cohorts, Key: key, OnStep: func(done, total int, what string) {
		if bar.GetMax() != total {
			bar.ChangeMax(total)
		}
		bar.Describe(what)
		_ = bar.Set(done)
	}})
	if err != nil {
		return err
	}
	if err := report.Write(dir); err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", filepath.Join(dir, "validation.md"), report.Summary())
	if n := report.Count(validation.Fails); n > 0 {
		return fmt.Errorf("validate %s: %d rows do not hold; see validation.md there", dir, n)
	}
	return nil
}

// programKey stands for this very build: what another one measured is measured again.
func programKey() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
