import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Note } from './Note.jsx';

createRoot(document.getElementById('app')).render(
  <StrictMode><main><h1>A note</h1><Note name="react" reader={{ id: 'ann', name: 'Ann' }} /></main></StrictMode>,
);
