"""Lets those who follow a chat know that something has happened in it."""
