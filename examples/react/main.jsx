import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Note } from './Note.jsx';

// Who reads; yours comes from a login.
const reader = new URLSearchParams(location.search).get('reader') ?? 'Ann';

createRoot(document.getElementById('app')).render(
  <StrictMode><main><h1>A note</h1><Note name="react" reader={reader} /></main></StrictMode>,
);
