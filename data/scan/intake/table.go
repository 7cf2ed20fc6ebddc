package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"elastography/data"
)

// A table lists what the files themselves do not say. Its first line names its
// columns, in any order; empty cells leave the decision to the file and the
// command line. Paths are relative to the table's folder.
//
//	file           a screen, a DICOM file, or an NPZ that holds bmode and swe_kpa
//	bmode, swe     instead: arrays of one shape (NPY, NIfTI, NPZ#name): grey levels; stiffness
//	labels         optional array of histopathology labels (0 none)
//	patient        identifier; it is hashed with the key and never stored
//	plane          name within the patient: letters, digits, '.', '_', '-'
//	split          train or test
//	organ, scanner free text
//	mm_per_px      pixel size, mm
//	scale_max_kpa  top of the colour bar, kPa: stiffer readings are censored there
//	unit           of the swe array: kPa (default) or m/s, E = 3 rho c^2
//	opacity        of the overlay, 0 to 1
//	box, bar       SWE box and colour bar in pixels: LEFT,TOP,RIGHT,BOTTOM
var tableColumns = []string{"file", "bmode", "swe", "labels", "patient", "plane", "split", "organ", "scanner",
	"mm_per_px", "scale_max_kpa", "unit", "opacity", "box", "bar"}

// pathColumns are those that name files.
var pathColumns = []string{"file", "bmode", "swe", "labels"}

// maxTableBytes bounds a table; a hundred thousand lines need a tenth of it.
const maxTableBytes = 256 << 20

// ReadTable reads a CSV table. Errors name the line and the remedy; that a
// listed file is missing or damaged is found when it is read.
func ReadTable(path string, from PatientRule) ([]Item, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	items, err := readTable(io.LimitReader(f, maxTableBytes), filepath.Dir(path), from)
	if err != nil {
		return nil, fmt.Errorf("import: table %s: %w", path, err)
	}
	return items, nil
}

func readTable(r io.Reader, dir string, from PatientRule) ([]Item, error) {
	table := csv.NewReader(r)
	table.TrimLeadingSpace = true
	table.FieldsPerRecord = -1
	header, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it is empty; its first line must name columns among %s", strings.Join(tableColumns, ", "))
	}
	if err != nil {
		return nil, err
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // spreadsheets put a byte order mark there
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(tableColumns, header[i]) {
			return nil, fmt.Errorf("line 1: column %q is unknown; the columns are %s", name, strings.Join(tableColumns, ", "))
		}
		if slices.Contains(header[:i], header[i]) {
			return nil, fmt.Errorf("line 1: column %q stands there twice", name)
		}
	}
	var items []Item
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := table.FieldPos(0)
		if len(record) != len(header) {
			return nil, fmt.Errorf("line %d has %d cells, the first line names %d columns", line, len(record), len(header))
		}
		fields := map[string]string{}
		for i, cell := range record {
			if cell = strings.TrimSpace(cell); cell != "" {
				fields[header[i]] = cell
			}
		}
		item, err := tableItem(fields, dir, from)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil, errors.New("it lists no file")
	}
	return items, nil
}

func tableItem(fields map[string]string, dir string, from PatientRule) (Item, error) {
	if err := checkFields(fields); err != nil {
		return Item{}, err
	}
	item := Item{Fields: fields}
	for _, column := range pathColumns {
		cell, ok := fields[column]
		if !ok {
			continue
		}
		path, array, _ := strings.Cut(cell, "#")
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, filepath.FromSlash(path))
		}
		item.Files = append(item.Files, path)
		// paths may name patients: what stays with the item is the array's name
		fields[column] = "#" + array
	}
	if fields["patient"] != "" {
		item.Patient = "id " + fields["patient"]
	} else {
		patient, err := from.of(item.Files[0])
		if err != nil {
			return Item{}, err
		}
		item.Patient = patient
	}
	delete(fields, "patient")
	return item, nil
}

func checkFields(f map[string]string) error {
	switch {
	case f["file"] == "" && (f["bmode"] == "" || f["swe"] == ""):
		return errors.New("give file, or both bmode and swe")
	case f["file"] != "" && (f["bmode"] != "" || f["swe"] != ""):
		return errors.New("give either file, or bmode and swe, not both")
	case f["split"] != "" && f["split"] != string(data.Train) && f["split"] != string(data.Test):
		return fmt.Errorf("split is %q; it must be train, test or empty", f["split"])
	case f["unit"] != "" && f["unit"] != "kPa" && f["unit"] != "m/s":
		return fmt.Errorf("unit is %q; it must be kPa or m/s", f["unit"])
	case f["plane"] != "" && !namePattern.MatchString(f["plane"]):
		return fmt.Errorf("plane %q is not 1 to 40 letters, digits, '.', '_' or '-'", f["plane"])
	}
	for column, top := range map[string]float64{"mm_per_px": 10, "scale_max_kpa": 2000, "opacity": 1} {
		if f[column] == "" {
			continue
		}
		if v, err := strconv.ParseFloat(f[column], 64); err != nil || !(v > 0 && v <= top) {
			return fmt.Errorf("%s is %q; it must be a number above 0, up to %g", column, f[column], top)
		}
	}
	for _, column := range []string{"box", "bar"} {
		if _, err := Rectangle(f[column]); err != nil {
			return fmt.Errorf("%s: %w", column, err)
		}
	}
	return nil
}
