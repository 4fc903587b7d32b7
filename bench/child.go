package main

const childCommand = "serve"

func child(string) error { return nil }
