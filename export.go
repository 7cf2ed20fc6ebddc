package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"

	"elastography/sswe"
)

type exportCommand struct {
	Run_ string `arg:"" name:"run" help:"Run folder or model file."`
	Out  string `help:"The ONNX file." required:"" type:"path"`
}

func (c exportCommand) Help() string {
	return "Example: go run . export runs/reproduce --out sswe.onnx\n\n" +
		"Input \"" + sswe.ONNXImage + "\" is [batch, height, width, 1], grey level 0 to 1; output \"" + sswe.ONNXStiffness + "\" is Young's modulus in kPa.\n" +
		"The run's checkpoint/model.npz is the same model with weights, configuration and training domain in one file that NumPy opens."
}

func (c exportCommand) Run(context.Context) error {
	if _, err := os.Stat(c.Out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("export: %s is there already; choose another --out", c.Out)
	}
	b, err := sswe.ExportONNX(c.Run_)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(c.Out, b, 0o644); err != nil {
		return fmt.Errorf("export: write %s: %w", c.Out, err)
	}
	fmt.Printf("%s: %.1f MB, for any ONNX runtime\n", c.Out, float64(len(b))/1e6)
	return nil
}
