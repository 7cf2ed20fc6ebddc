package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/scan/intake"
)

// screenFile is the scanner's screen that the checkout holds; data/scan/testdata/NOTICE.md says whose it is.
const screenFile = "data/scan/testdata/aixplorer_muscle_150kPa_50pct.png"

// dataRates are what making data costs: simulated planes and imported screens a second, all processors at work.
type dataRates struct {
	Planes float64 `json:"simulated_planes_per_second"`
	Files  float64 `json:"imported_files_per_second,omitempty"` // 0 outside of a checkout, where there is no screen to import
}

func measureData(ctx context.Context) (r dataRates, err error) {
	dir, err := os.MkdirTemp("", "sswe-bench-")
	if err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)

	recipe := data.Study()
	recipe.Patients, recipe.Test, recipe.Planes = 4, 1, 1
	start := time.Now()
	if _, err := data.Simulate(ctx, filepath.Join(dir, "simulated"), recipe, func(int, int) {}); err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	r.Planes = float64(recipe.Patients) / time.Since(start).Seconds()

	screen, err := os.ReadFile(screenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	r.Files, err = importRate(ctx, dir, screen)
	return r, err
}

// importRate imports copies of a screen as an archive is imported: one patient each, all processors.
func importRate(ctx context.Context, dir string, screen []byte) (filesPerSecond float64, err error) {
	const copies = 6
	exports, out := filepath.Join(dir, "exports"), filepath.Join(dir, "imported")
	for k := range copies {
		patient := filepath.Join(exports, strconv.Itoa(k))
		if err := os.MkdirAll(patient, 0o755); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		if err := os.WriteFile(filepath.Join(patient, "screen.png"), screen, 0o644); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
	}
	rule, err := intake.ParsePatientRule("folder")
	if err != nil {
		return 0, err
	}
	list, err := intake.List([]string{exports}, rule)
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	importer := &intake.Importer{Out: out, Private: intake.PrivateFolder(out)}
	if importer.Key, err = dicom.OpenKey(filepath.Join(dir, "key")); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	if err := importer.Claim(); err != nil {
		return 0, err
	}
	start := time.Now()
	counters, err := archive.Run(ctx, slices.Values(importer.Rows(list.Items, nil)), archive.Options{Folders: importer.Folders()}, importer.Work())
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	if counters.Computed != copies || counters.Refused > 0 {
		return 0, fmt.Errorf("bench: of %d screens %d were read, %d refused", copies, counters.Computed, counters.Refused)
	}
	return copies / time.Since(start).Seconds(), nil
}

func (r dataRates) print() {
	fmt.Printf("cohort: %.2f simulated planes/s", r.Planes)
	if r.Files > 0 {
		fmt.Printf("; import: %.2f screens/s", r.Files)
	}
	fmt.Println()
}
