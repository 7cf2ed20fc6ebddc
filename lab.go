package main

import (
	"context"
	"os"

	"elastography/kernel"
)

type labCommand struct {
	Dir     string `help:"Folder to work in; the checkout's notebooks if not given." type:"existingdir"`
	Port    int    `help:"First port to try." default:"8888"`
	Browser bool   `help:"Open a browser." default:"true" negatable:""`
}

func (c labCommand) Run(ctx context.Context) error {
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	return env.Lab(ctx, kernel.LabOptions{Dir: c.Dir, Port: c.Port, Browser: c.Browser})
}

// setup makes the working environment of the checkout that the command runs in.
func setup(ctx context.Context) (*kernel.Env, error) {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return nil, err
	}
	return kernel.Setup(ctx, root, os.Stderr)
}
